"""The service: it answers a company's phone menu and gets callers off hold."""
