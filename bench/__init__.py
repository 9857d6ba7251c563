"""How long things take: the cases behind the project's figures, measured on real hosts."""
