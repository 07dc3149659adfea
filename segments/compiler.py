"""Rules + context -> SQL, in two forms of the same meaning, from one tree.

The *audience* form finds everybody: each condition on another table is a set that PostgreSQL joins by hash (`id IN
(...)`, and NOT EXISTS for its opposite, since NOT IN over a large set degrades to a scan per row); a group of
alternatives with such a set in it becomes a union, because an OR of sets cannot be joined. The *judge* form asks about
a few known end users: EXISTS by index, so that an event costs no walk over the brand. Negations are moved down to the
conditions first (docs/adr/0007).
"""

from collections.abc import Iterator

from segments import fields
from segments.conditions import Context, Group, Node, Opposite, Predicate, Related, Rows, opposite
from segments.rules import AllOf, Condition, Not, Rule, Rules, parts_of
from segments.sql import FALSE, TRUE, Sql, fill, joined


def audience_sql(rules: Rules, context: Context) -> Sql:
    """`SELECT u.id ...` of everybody whom the rules select in the brand, to stand alone or inside a set statement."""
    return fill("SELECT u.id FROM devices_enduser u WHERE {}", audience_where(rules, context))


def audience_where(rules: Rules, context: Context) -> Sql:
    """The condition on `devices_enduser u` for finding everybody; the brand itself is part of it."""
    return fill("u.brand_id = {} AND ({})", context.brand_id, _audience(compile_rule(rules.rule, context), context))


def judge_sql(rule: Rule, context: Context) -> Sql:
    """The condition on one row of `devices_enduser u`, by index; null counts as false."""
    return _judge(compile_rule(rule, context))


def judge_each(rules: Rules, context: Context) -> Iterator[tuple[str, Sql]]:
    """(path, condition) of the whole and of each group and rule in it, for showing what holds of one end user."""
    for path, rule in parts_of(rules):
        yield path, judge_sql(rule, context)


def compile_rule(rule: Rule, context: Context) -> Node:
    """The rule's meaning, its negations moved down."""
    if isinstance(rule, Not):
        return opposite(compile_rule(rule.rule, context))
    if isinstance(rule, Condition):
        return _condition(rule, context)
    return Group(isinstance(rule, AllOf), tuple(compile_rule(item, context) for item in rule.rules))


def _condition(rule: Condition, context: Context) -> Node:
    field = fields.get(rule.field)
    if field is None:
        raise LookupError(f"There is no segment field named {rule.field}.")
    operator = field.operator(rule.operator, rule.given)
    if operator is None:
        raise LookupError(f"{rule.field} has no operator named {rule.operator}.")
    if not operator.complement_of:
        return field.build(fields.Asked(operator, rule.value, rule.given, context))
    positive = field.operator(operator.complement_of, rule.given)
    assert positive is not None
    return opposite(field.build(fields.Asked(positive, rule.value, rule.given, context)))


def _audience(node: Node, context: Context) -> Sql:
    if isinstance(node, Predicate):
        return fill("({})", node.sql)
    if isinstance(node, Related):
        return fill("u.id IN ({})", _ids(node))
    if isinstance(node, Opposite):
        if isinstance(node.condition, Predicate):
            return fill("({}) IS NOT TRUE", node.condition.sql)
        return joined(" AND ", (_absent(rows) for rows in node.condition.rows))
    if not node.parts:
        return TRUE if node.every else FALSE
    if node.every or not _has_sets(node):
        return joined(" AND " if node.every else " OR ", (_audience(part, context) for part in node.parts))
    return fill("u.id IN ({})", _alternatives(node, context))


def _alternatives(node: Group, context: Context) -> Sql:
    """The ids of any of the parts, as one union: what is asked of the end user alone shares one branch."""
    plain = [part for part in node.parts if not _has_sets(part)]
    branches = [_ids(part) for part in node.parts if isinstance(part, Related)]
    wheres = [_audience(part, context) for part in node.parts if _has_sets(part) and not isinstance(part, Related)]
    if plain:
        wheres.append(joined(" OR ", (_audience(part, context) for part in plain)))
    select = "SELECT u.id FROM devices_enduser u WHERE u.brand_id = {} AND ({})"
    branches += [fill(select, context.brand_id, where) for where in wheres]
    return Sql(" UNION ALL ".join(branch.text for branch in branches), tuple(p for b in branches for p in b.params))


def _has_sets(node: Node) -> bool:
    if isinstance(node, Group):
        return any(_has_sets(part) for part in node.parts)
    return isinstance(node.condition if isinstance(node, Opposite) else node, Related)


def _ids(node: Related) -> Sql:
    branches = [_select(rows) for rows in node.rows]
    return Sql(" UNION ALL ".join(branch.text for branch in branches), tuple(p for b in branches for p in b.params))


def _select(rows: Rows) -> Sql:
    key = Sql(rows.key)
    if rows.having is None:
        return fill("SELECT {} FROM {} WHERE {}", key, rows.source, rows.where)
    template = "SELECT {} FROM {} WHERE {} GROUP BY {} HAVING {}"
    return fill(template, key, rows.source, rows.where, key, rows.having)


def _absent(rows: Rows) -> Sql:
    if rows.having is None:
        return fill("NOT EXISTS (SELECT FROM {} WHERE {} AND {} = u.id)", rows.source, rows.where, Sql(rows.key))
    template = "NOT EXISTS (SELECT FROM (SELECT {} AS id FROM {} WHERE {} GROUP BY {} HAVING {}) s WHERE s.id = u.id)"
    key = Sql(rows.key)
    return fill(template, key, rows.source, rows.where, key, rows.having)


def _judge(node: Node) -> Sql:
    if isinstance(node, Predicate):
        return node.sql
    if isinstance(node, Related):
        return joined(" OR ", (_present(rows) for rows in node.rows))
    if isinstance(node, Opposite):
        return fill("({}) IS NOT TRUE", _judge(node.condition))
    if not node.parts:
        return TRUE if node.every else FALSE
    return joined(" AND " if node.every else " OR ", (_judge(part) for part in node.parts))


def _present(rows: Rows) -> Sql:
    key = Sql(rows.key)
    if rows.having is None:
        return fill("EXISTS (SELECT FROM {} WHERE {} = u.id AND {})", rows.source, key, rows.where)
    template = "(SELECT count(*) > 0 AND ({}) FROM {} WHERE {} = u.id AND {})"
    return fill(template, rows.having, rows.source, key, rows.where)
