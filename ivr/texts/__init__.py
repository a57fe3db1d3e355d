"""One text as a value. Pure: standard library, the phone-number and GSM-7 tables, and the values of a call."""
