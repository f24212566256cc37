import numpy as np
from scipy import sparse

from leadlift.problems.graph import communities, without_small


def noisy_graph(products=300):
    half = sparse.random_array((products, products), density=0.02, rng=np.random.default_rng(0))
    return sparse.csr_array(half + half.T)


def test_the_same_seed_gives_the_same_communities_however_often():
    graph = noisy_graph()
    first = communities(graph, resolution=1.0, seed=0)
    for _ in range(4):
        assert (communities(graph, resolution=1.0, seed=0) == first).all()
    assert (communities(graph, resolution=1.0, seed=1) != first).any()


def test_products_without_an_edge_belong_to_none_and_the_largest_comes_first():
    block = sparse.block_diag([np.zeros((1, 1)), np.ones((3, 3)), np.ones((5, 5)), np.ones((2, 2))]).tocsr()
    label = communities(sparse.csr_array(block - sparse.diags_array(block.diagonal())), resolution=1.0, seed=0)
    label[0] = -1
    assert label.tolist() == [-1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2]
    assert without_small(label, 3).tolist() == [-1, 1, 1, 1, 0, 0, 0, 0, 0, -1, -1]
