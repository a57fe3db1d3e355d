"""all-MiniLM-L6-v2 in torch: texts to unit vectors, with or without gradients. Needs torch: requirements.txt."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from search.encoder import EncoderError, Vectors, clean, read_tokenizer, runs_of, weights_folder

MAX_TOKENS = 128  # half the served window: an answer's first 90 words, at half the time
TOKENS_PER_RUN = 4096
# Not moved: the words' own vectors, half of all weights, which would drift apart from those of words the
# community does not use; and the lower half of the layers, which saves a third of a step's time.
FROZEN = ("embeddings.", "pooler.", "encoder.layer.0.", "encoder.layer.1.", "encoder.layer.2.")


class Network:
    """The model with its tokeniser. One thread uses it at a time.

    `threads` cores; arithmetic in bfloat16 where the processor has it in silicon, else in float32.
    Raises `EncoderError` when torch or the weights are missing.
    """

    def __init__(self, threads: int = 2, folder: Path | None = None) -> None:
        # A core that waits for the other one gives way: on a busy machine a spinning one would hold it up.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            import torch
            from transformers import BertModel
            from transformers.utils import logging
        except ImportError as missing:
            raise EncoderError("tuning needs torch: `make test-models` makes .venv-models, which has it") from missing
        torch.set_num_threads(threads)
        logging.disable_progress_bar()
        self.torch: Any = torch
        self.model: Any = BertModel.from_pretrained(str(folder or weights_folder()), local_files_only=True)
        self.tokenizer = read_tokenizer(MAX_TOKENS)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = not name.startswith(FROZEN)
        # Emulated bfloat16 is slower than float32.
        self._half = bool(torch.backends.mkldnn.is_available() and torch.cpu._is_avx512_bf16_supported())

    def learnt(self) -> dict[str, Any]:
        """The parameters that training moves, by name."""
        return {name: value for name, value in self.model.named_parameters() if value.requires_grad}

    def vectors(
        self,
        texts: Sequence[str],
        progress: Callable[[int], None] | None = None,
        *,
        exact: bool = False,
        most_tokens: int = MAX_TOKENS,
    ) -> Vectors:
        """Unit vectors, float32 of shape (len(texts), 384), in the order of `texts`; `exact`: without bfloat16."""
        self.model.eval()
        found = np.empty((len(texts), self.model.config.hidden_size), dtype=np.float32)
        tokens = [self.tokenizer.encode(clean(text)).ids[:most_tokens] for text in texts]
        with self.torch.inference_mode():
            for rows in runs_of(tokens, TOKENS_PER_RUN):
                found[rows] = self.embed([tokens[row] for row in rows], exact=exact).numpy()
                if progress:
                    progress(len(rows))
        return found

    def embed(self, tokens: Sequence[Sequence[int]], *, exact: bool = False) -> Any:
        """Unit vectors of tokenised texts, a float32 tensor through which gradients flow."""
        torch = self.torch
        ids = torch.zeros((len(tokens), max(map(len, tokens))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, own in enumerate(tokens):
            ids[row, : len(own)] = torch.tensor(own)
            mask[row, : len(own)] = 1
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half and not exact):
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].float()
        mean = (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(mean, dim=1)
