"""The one exception a person may see."""


class SlipwayError(Exception):
    """Something a person can put right: the message says what is wrong, where, and what is allowed.

    Shown without a traceback, so it names the file or key and never holds a secret.
    """
