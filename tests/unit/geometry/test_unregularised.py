"""The probe of the paper's published analysis, against the solver that it calls."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from semasia.geometry.moments import moments
from semasia.geometry.probes import fit_least_squares, fit_unregularised


@pytest.mark.parametrize("rows", [1200, 60])
def test_it_is_torch_s_least_squares_without_intercept(rows: int) -> None:
    digits = load_digits()
    Z, y = digits.data[:rows].astype(np.float32), digits.target[:rows].astype(np.int64)
    probe = fit_unregularised(moments([Z], {"label": y}, {"label": 10}))
    A, onehot = torch.tensor(Z).double(), torch.nn.functional.one_hot(torch.tensor(y), 10).double()
    cut = max(Z.shape) * float(np.finfo(np.float32).eps)
    solved = torch.linalg.lstsq(A, onehot, rcond=cut, driver="gelsd").solution.numpy()
    np.testing.assert_allclose(
        Z.astype(float) @ probe.weights["label"], A.numpy() @ solved, atol=1e-6
    )
    assert not probe.intercepts["label"].any()


def test_it_fits_noise_where_rows_are_about_as_many_as_dimensions() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 2300)
    Z = rng.standard_normal((2300, 300)).astype(np.float32)
    Z[:, :5] += 3 * np.eye(5, dtype=np.float32)[y]
    known = moments([Z[:300]], {"label": y[:300]}, {"label": 5})
    accuracies = [
        (fit(known).predict(Z[300:])["label"] == y[300:]).mean()
        for fit in (fit_unregularised, fit_least_squares)
    ]
    assert accuracies[0] < 0.6 < accuracies[1]
