"""Speed and memory, measured side by side with what others use. Each module has
`measure`, which gives a record for JSON, and `report`, which puts it in words."""
