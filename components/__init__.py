"""The nouns of an environment, one to a file."""
