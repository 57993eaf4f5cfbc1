"""What a mining is asked for."""

from __future__ import annotations

from django import forms

from styletransfer.core.visualise.layers import NETWORKS
from styletransfer.models import Corpus


class MiningForm(forms.Form):
    """The network and the corpus. The archive is claimed by the view."""

    network = forms.ChoiceField(choices=[(name, name) for name in NETWORKS])
    corpus = forms.ChoiceField(choices=Corpus.choices)

    def problems(self) -> list[dict[str, str]]:
        """The errors as the error summary shows them."""
        says = {"network": "Choose a network.", "corpus": "Choose which pictures it looks at."}
        return [{"field": name, "message": says[name], "hint": ""} for name in self.errors]
