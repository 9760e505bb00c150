"""`python -m text2sql` is the `text2sql` command."""

from text2sql.cli.main import main

if __name__ == "__main__":
    main()
