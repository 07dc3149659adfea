"""Rules + context -> SQL, in two forms of the same meaning, from one tree.

The *audience* form finds everybody: each condition on another table is a set that PostgreSQL joins by hash (`id IN
(...)`, and NOT EXISTS for its opposite, since NOT IN over a large set degrades to a scan per row); a group of
alternatives with such a set in it becomes a union, because an OR of sets cannot be joined. The *condition* form asks
about a few known end users: EXISTS by index, so that an event costs no walk over the brand. Negations are moved down to
the conditions first (docs/adr/0009).
"""

from segments import fields
from segments.conditions import Context, Group, Node, Opposite, Predicate, Related, Rows, group, opposite
from segments.references import inlined_rule
from segments.rules import AllOf, Condition, Not, Rule, Rules
from segments.sql import FALSE, TRUE, Sql, fill, joined


def audience_sql(rules: Rules, context: Context) -> Sql:
    """`SELECT u.id ...` of everybody whom the rules select in the brand, to stand alone or inside a set statement."""
    return fill("SELECT u.id FROM devices_enduser u WHERE {}", audience_where(rules, context))


def counted_sql(rules: Rules, context: Context) -> Sql:
    """`SELECT ... AS id` of everybody whom the rules select, for counting.

    Where one condition on another table is all, its rows say who without a join to a million end users: rows name
    end users of the brand, except that those of somebody who is erased this very moment may still be there.
    """
    node = compile_rule(rules.rule, context)
    while isinstance(node, Group) and len(node.parts) == 1:
        node = node.parts[0]
    if not isinstance(node, Related):
        return audience_sql(rules, context)
    once = len(node.rows) > 1 or node.rows[0].having is not None
    return fill(f"SELECT {'' if once else 'DISTINCT '}s.id FROM ({{}}) s WHERE s.id IS NOT NULL", _ids(node))


def audience_where(rules: Rules, context: Context) -> Sql:
    """The condition on `devices_enduser u` for finding everybody; the brand itself is part of it."""
    return fill("u.brand_id = {} AND ({})", context.brand_id, _audience(compile_rule(rules.rule, context), context))


def condition_sql(rule: Rule, context: Context) -> Sql:
    """The condition on one row of `devices_enduser u`, by index; null counts as false."""
    return _single(compile_rule(rule, context))


def compile_rule(rule: Rule, context: Context) -> Node:
    """The rule's meaning, its negations moved down; raises TooLarge where the segments that it names grow too many."""
    return _compiled(inlined_rule(rule, context.segments), context)


def _compiled(rule: Rule, context: Context) -> Node:
    if isinstance(rule, Not):
        return opposite(_compiled(rule.rule, context))
    if isinstance(rule, Condition):
        return _condition(rule, context)
    return group(isinstance(rule, AllOf), (_compiled(item, context) for item in rule.rules))


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
    return _union(branches)


def _has_sets(node: Node) -> bool:
    if isinstance(node, Group):
        return any(_has_sets(part) for part in node.parts)
    return isinstance(node.condition if isinstance(node, Opposite) else node, Related)


def _ids(node: Related) -> Sql:
    return _union([_select(rows) for rows in node.rows])


def _union(branches: list[Sql]) -> Sql:
    """With UNION ALL the planner takes what comes out for 200 end users, and looks each of a million up by index."""
    return Sql(" UNION ".join(branch.text for branch in branches), tuple(p for b in branches for p in b.params))


def _select(rows: Rows) -> Sql:
    key = Sql(rows.key)
    if rows.having is None:
        return fill("SELECT {} AS id FROM {} WHERE {}", key, rows.source, rows.where)
    template = "SELECT {} AS id FROM {} WHERE {} GROUP BY {} HAVING {}"
    return fill(template, key, rows.source, rows.where, key, rows.having)


def _absent(rows: Rows) -> Sql:
    if rows.having is None:
        return fill("NOT EXISTS (SELECT FROM {} WHERE {} AND {} = u.id)", rows.source, rows.where, Sql(rows.key))
    template = "NOT EXISTS (SELECT FROM (SELECT {} AS id FROM {} WHERE {} GROUP BY {} HAVING {}) s WHERE s.id = u.id)"
    key = Sql(rows.key)
    return fill(template, key, rows.source, rows.where, key, rows.having)


def _single(node: Node) -> Sql:
    if isinstance(node, Predicate):
        return node.sql
    if isinstance(node, Related):
        return joined(" OR ", (_present(rows) for rows in node.rows))
    if isinstance(node, Opposite):
        return fill("({}) IS NOT TRUE", _single(node.condition))
    if not node.parts:
        return TRUE if node.every else FALSE
    return joined(" AND " if node.every else " OR ", (_single(part) for part in node.parts))


def _present(rows: Rows) -> Sql:
    key = Sql(rows.key)
    if rows.having is None:
        return fill("EXISTS (SELECT FROM {} WHERE {} = u.id AND {})", rows.source, key, rows.where)
    template = "(SELECT count(*) > 0 AND ({}) FROM {} WHERE {} = u.id AND {})"
    return fill(template, rows.having, rows.source, key, rows.where)
