"""What the Makefile's set-up verbs run. Standard library only: nothing is installed yet when these start."""
