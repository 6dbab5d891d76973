"""The settings of a model and of its batch."""

from dataclasses import dataclass

from feed_forward import ACTIVATIONS
from layers import REAL, Rotary


@dataclass(frozen=True)
class Settings:
    """The words of the configuration file, and the size of the batch."""

    d_model: int = 16
    layers: int = 2
    heads: int = 2
    kv_heads: int = 0  # 0: as many as heads
    head_size: int = 0  # 0: d_model / heads
    attention_bias: str = "none"
    qk_norm: str = "none"
    rotary: Rotary = Rotary()
    context: int = 8
    document_token: int = 0  # ends a document, at which attention and positions end; 0: nothing does
    vocabulary_size: int = 29
    experts: int = 4
    top_k: int = 1
    granularity: int = 1
    feed_forward: int = 3
    activation: str = "swiglu"
    shared_hidden: int = 0  # of all shared experts together
    shared_gate: bool = False
    dense_layers: tuple = ()  # numbers of layers without experts
    dense_hidden: int = 0
    tie_embeddings: bool = False
    norm: str = "rms"
    final_norm: bool = True
    normalize_gates: bool = False
    capacity_factor: float = 1.0
    load_balance_weight: float = 0.25  # larger than in training, so that a wrong auxiliary gradient cannot hide
    z_loss_weight: float = 0.125
    mean_of_layers: bool = False  # of the auxiliary losses, in the total; otherwise their sum
    lanes: int = 2
    sequences: int = 3  # of one lane

    @property
    def lane_tokens(self):
        return self.sequences * self.context

    @property
    def d_head(self):
        return self.head_size or self.d_model // self.heads

    @property
    def key_heads(self):
        return self.kv_heads or self.heads

    @property
    def projection(self):
        """The name of a feed-forward's first matrix, and its columns for each hidden unit."""
        return ("gate_up", 2) if ACTIVATIONS[self.activation][0] else ("up", 1)

    @property
    def layer_weight(self):
        return REAL(1) / (self.layers - len(self.dense_layers)) if self.mean_of_layers else REAL(1)

    @property
    def routed_experts(self):
        return self.experts * self.granularity

    @property
    def choices(self):
        return self.top_k * self.granularity

    @property
    def hidden(self):
        return self.feed_forward * self.d_model // self.granularity
