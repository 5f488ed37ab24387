"""One module per family of cases; see ``README.md`` one folder up."""
