"""A tiny random sentence model in sentence-transformers' own layout, with a vocabulary of the words it is given."""

from __future__ import annotations

from pathlib import Path

from tiny_hub import seeded


@seeded
def sentence_model(folder, words=(), width=32):
    """BERT of one layer and mean pooling; accents and vowel signs are kept, as the multilingual model keeps them."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    inner = Path(folder).parent / f"{Path(folder).name}-bert"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *dict.fromkeys(words)]
    inner.mkdir(parents=True, exist_ok=True)
    (inner / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=width, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).eval().save_pretrained(inner)
    BertTokenizerFast(str(inner / "vocab.txt"), do_lower_case=True, strip_accents=False).save_pretrained(inner)
    SentenceTransformer(modules=[Transformer(str(inner), max_seq_length=64), Pooling(width)], device="cpu").save(
        str(folder)
    )
