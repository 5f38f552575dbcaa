"""Pure: shapes of the API in, what rich prints out. Colour only repeats what words say."""
