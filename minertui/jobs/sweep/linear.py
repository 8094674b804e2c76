"""Small systems of equations: three or four unknowns, a positive definite matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

Matrix = list[list[float]]


def inverted(matrix: Sequence[Sequence[float]]) -> Matrix:
    """The inverse, by elimination with pivots."""
    size = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        by = rows[i][i]
        rows[i] = [value / by for value in rows[i]]
        for j in range(size):
            if j != i:
                factor = rows[j][i]
                rows[j] = [b - factor * a for a, b in zip(rows[i], rows[j], strict=True)]
    return [row[size:] for row in rows]


def times(matrix: Sequence[Sequence[float]], x: Sequence[float]) -> list[float]:
    """matrix · x."""
    return [sum(a * b for a, b in zip(row, x, strict=True)) for row in matrix]


def spread(cov: Sequence[Sequence[float]], x: Sequence[float]) -> float:
    """x · cov · x: the variance of x · theta."""
    return max(0.0, sum(a * b for a, b in zip(x, times(cov, x), strict=True)))


def lower(matrix: Sequence[Sequence[float]]) -> Matrix:
    """The lower triangle L of matrix = L · Lᵀ (Cholesky)."""
    size = len(matrix)
    root = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            left = matrix[i][j] - sum(root[i][k] * root[j][k] for k in range(j))
            root[i][j] = math.sqrt(max(left, 0.0)) if i == j else left / root[j][j] if root[j][j] > 0 else 0.0
    return root
