# So that `flask menu check FILE` finds the commands from this folder.
FLASK_APP=ivr.app
