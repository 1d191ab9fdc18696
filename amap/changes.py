"""What somebody typed about a row they edit: only what differs is written."""


def change(row, fields):
    """Give a row these columns, {name: value}; answers the names of those that differed. The caller holds its lock."""
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
    return changed
