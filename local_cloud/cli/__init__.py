"""The command line of the local cloud; each file is one thing a person asks for."""
