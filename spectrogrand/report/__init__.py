"""run.json to what people read: the page and the table. Reads records; makes nothing."""
