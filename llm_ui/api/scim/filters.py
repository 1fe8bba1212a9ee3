"""Filters of SCIM (RFC 7644 §3.4.2.2) as conditions of `services`."""

from typing import Any

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from llm_ui.services import directory_search
from llm_ui.services.directory_search import Compared, Condition, Joined, Opposite


def condition(asked: ScimFilter[Any]) -> Condition:
    """Return what a filter asks for. Raises `InvalidFilterException` for what is no attribute."""
    return _Conditions(asked).visit(asked.ast)


class _Conditions(FilterVisitor[Condition]):
    def __init__(self, asked: ScimFilter[Any]) -> None:
        self._asked = asked

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = _found(self._asked.resolve_comparison(node.attr_path), node)
        value = coerce_value(binding, node.value, node.op)
        return Compared(_name(binding), directory_search.Comparison(node.op.value), value)

    def visit_present(self, node: Present) -> Condition:
        # Of what has several values, whether there is any.
        binding = _found(self._asked.resolve_comparison(node.attr_path), node)
        return Compared(_name(binding), directory_search.Comparison.PRESENT)

    def visit_not(self, node: Not) -> Condition:
        return Opposite(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        return Joined(tuple(map(self.visit, node.terms)), is_all=node.op is LogicalOperator.and_)

    def visit_value_path(self, node: ValuePath) -> Condition:
        # Of all that is kept there is one value, or it is looked for by its value alone.
        return self.visit(_within(node.attr_path, node.val_filter))


def _name(binding: AttributeBinding) -> str:
    return ".".join(filter(None, (binding.field_name, binding.sub_field_name)))


def _found(binding: AttributeBinding | None, node: FilterNode) -> AttributeBinding:
    if binding is None:
        raise InvalidFilterException(detail=f"This cannot be asked for here: {node}.")
    return binding


def _within(head: AttrPath, node: FilterNode) -> FilterNode:
    """Return the filter of a value as one of the whole: `emails[type eq "work"]` is `emails.type eq "work"`."""
    match node:
        case Comparison(attr_path, op, value):
            return Comparison(AttrPath(head.attr, attr_path.attr, head.uri), op, value)
        case Present(attr_path):
            return Present(AttrPath(head.attr, attr_path.attr, head.uri))
        case Not(expr):
            return Not(_within(head, expr))
        case LogicalExpr(op, terms):
            return LogicalExpr(op, tuple(_within(head, term) for term in terms))
    raise InvalidFilterException(detail=f"This cannot be asked for here: {node}.")
