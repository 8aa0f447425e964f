"""The Gradio panel, free of the webui, so that it also runs on a page of its own."""
