"""The smallest view: one line of ours as a document."""

from handlers.document import Document, Note


def note_document(text: str) -> Document:
    """One plain line of ours."""
    return Document(text, (Note(text),))
