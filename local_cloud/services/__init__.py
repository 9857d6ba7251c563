"""Real servers behind products: processes of their own, which outlive the API."""
