"""Values kept in files, each content once, beside what is known of who wrote them."""
