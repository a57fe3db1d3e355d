"""The menu file: YAML in, a checked `ivr.call.plan.Plan` or every problem at once out."""
