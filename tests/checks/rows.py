"""Reads of database rows by number: `row[3]`, or more than two columns taken apart by their place."""

import ast
from collections.abc import Iterator

MOST_IN_ORDER = 2
_FETCH = frozenset({"fetchall", "fetchone", "fetchmany"})
_BOUNDED = "rows_within"


def rows_by_number(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each such read in a module's source."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_function(function)


def _of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    fetched: set[str] = set()
    for node in _in_order(function):
        if isinstance(node, ast.Assign) and _is_rows(node.value, fetched):
            fetched.update(target.id for target in node.targets if isinstance(target, ast.Name))
        targets = [(node.target, node.iter)] if isinstance(node, ast.For | ast.comprehension) else []
        for target, source in targets:
            if not _is_rows(source, fetched):
                continue
            if isinstance(target, ast.Name):
                fetched.add(target.id)
            elif isinstance(target, ast.Tuple) and len(target.elts) > MOST_IN_ORDER:
                yield target.lineno, ast.unparse(target)
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and _is_number(node.slice) and _is_rows(node.value, fetched):
            yield node.lineno, ast.unparse(node)


def _in_order(function: ast.AST) -> Iterator[ast.AST]:
    """Every node below, in the order of the source."""
    for child in ast.iter_child_nodes(function):
        yield child
        yield from _in_order(child)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_rows(node: ast.expr, fetched: set[str]) -> bool:
    """Whether this is a row, or rows, of a cursor, as far as this function shows."""
    if isinstance(node, ast.Name):
        return node.id in fetched or node.id == "cursor"
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _FETCH or name == _BOUNDED:
            return True
        return name in {"sorted", "list"} and bool(node.args) and _is_rows(node.args[0], fetched)
    return isinstance(node, ast.Subscript) and _is_rows(node.value, fetched)
