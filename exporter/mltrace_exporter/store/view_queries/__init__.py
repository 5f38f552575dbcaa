"""The queries of the views in `views`, from the same rules as the answers of the HTTP API."""
