"""The user's own material in the folder ``sources``: tables of addresses, WebDataset shards, loose files."""
