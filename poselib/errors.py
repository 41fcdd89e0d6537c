"""The one exception that means: the input is at fault, not the code."""


class InputError(ValueError):
    """Bad input from outside. The message is one sentence that names the file, the key and the remedy.

    The command line prints it and exits with code 2; nothing written before is touched.
    """
