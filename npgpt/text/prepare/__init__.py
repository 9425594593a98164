"""`npgpt prepare`: from raw text to token files, one file a step."""
