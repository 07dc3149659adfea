"""Steps that touch several rooms at once, such as a session, a merge or an opt-out."""
