"""What a server is to have, what is found on it, and what a repair puts right."""
