"""Where facts about packages come from."""
