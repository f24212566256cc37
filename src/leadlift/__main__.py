"""`python -m leadlift` is `leadlift`."""

from leadlift.cli.main import main

main()
