"""Floor 9: the command line, a file per command: parse, call one function of study, print."""
