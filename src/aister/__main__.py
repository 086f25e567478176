"""`python -m aister`."""

from aister.cli import main

if __name__ == "__main__":
    main()
