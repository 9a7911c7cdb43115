"""The parts of the page, one module each: facts in, words, tables and figures out."""
