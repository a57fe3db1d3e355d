"""How near each article is to what askers say in general, and how dense a community is.

In high dimensions some vectors are near to everything (hubs; Radovanović, Nanopoulos and Ivanović 2010); what is near
to such an article says little. Askers' words are sampled from the community itself: its questions, or titles where a
thread has none.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SAMPLE = 2000  # askers
NEIGHBOURS = 10
DENSITY_OF = 1000  # askers compared with all articles
BLOCK = 8192


class Neighbourhood(NamedTuple):
    """`hubs`: float16 (articles, 2), the mean of the title's and of the whole text's ten best cosines with askers of
    other threads. `density`: mean and standard deviation of the mean cosine between an asker and the ten nearest
    articles of others."""

    hubs: npt.NDArray[np.float16]
    density: tuple[float, float]


def neighbourhood(
    vectors: npt.NDArray[np.float16],
    titles: npt.NDArray[np.int64],
    wholes: npt.NDArray[np.int64],
    askers: npt.NDArray[np.int64],
) -> Neighbourhood:
    """From the vectors of all passages and, for each article, the passages that are its title, its whole text and its
    asker's words."""
    draw = np.random.default_rng(0)
    articles = len(titles)
    chosen = np.sort(draw.choice(articles, min(articles, SAMPLE), replace=False))
    said = vectors[askers[chosen]].astype(np.float32)
    hubs = np.empty((articles, 2), dtype=np.float16)
    nearest = np.zeros((min(len(chosen), DENSITY_OF), 0), dtype=np.float32)
    for begin in range(0, articles, BLOCK):
        own = np.arange(begin, min(begin + BLOCK, articles))
        cosines = []
        for column, rows in enumerate((titles, wholes)):
            block = vectors[rows[own]].astype(np.float32) @ said.T
            block[own[:, None] == chosen[None, :]] = -1
            hubs[own, column] = best_mean(block)
            cosines.append(block[:, : len(nearest)])
        better = np.maximum(*cosines).T
        nearest = np.sort(np.concatenate([nearest, better], axis=1), axis=1)[:, -NEIGHBOURS:]
    means = nearest.mean(axis=1)
    return Neighbourhood(hubs, (float(means.mean()), max(float(means.std()), 0.02)))


def best_mean(cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of the ten best in each row."""
    k = min(NEIGHBOURS, cosines.shape[1])
    return np.asarray(np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1))
