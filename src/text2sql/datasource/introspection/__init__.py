"""Reading a database's catalog over an open connection; opening one is `execution`'s work."""
