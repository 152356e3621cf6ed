"""The page itself: tabs with one form each, a panel where the job is watched and its result appears, and the gallery of runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import media
from ..errors import SpectrograndError
from . import forms, views
from .jobs import Jobs
from .tidying import fit_uploads

DATA = Path(__file__).parents[1] / "data" / "app"
PICTURES = [*media.PICTURES]
SOUNDS = [*media.SOUNDS, *media.VIDEOS]
IDEAS = ("a lighthouse in a storm", "two foxes in the snow", "a cat on a piano", "a neon city in the rain")
POLL = 0.4
LYRICS = [".lrc", ".srt"]
TABS = {
    "text": "Text to video", "song": "Song to video", "visuals": "Visuals", "walk": "Patterns",
    "cover": "Song to cover", "music": "Picture to music", "songs": "Picture to songs", "runs": "Runs",
}  # fmt: skip
"""Every tab; on a narrow screen they are buttons, so that none hides behind a menu."""


def build(place: forms.Place, jobs: Jobs) -> tuple[Any, dict[str, Any]]:
    """The gradio page, and how it looks (arguments of the mount)."""
    import gradio as gr

    with gr.Blocks(title="spectrogrand", analytics_enabled=False, delete_cache=(3600, 86_400)) as page:
        gr.HTML((DATA / "header.html").read_text("utf-8"), elem_id="sg-header")
        with gr.Row(elem_id="sg-nav"):
            buttons = {name: gr.Button(label, size="sm", min_width=100) for name, label in TABS.items()}
        with gr.Tabs(elem_id="sg-tabs") as tabs:
            _tab_text(gr, place, jobs)
            _tab_song(gr, place, jobs)
            _tab_visuals(gr, place, jobs)
            _tab_walk(gr, place, jobs)
            _tab_cover(gr, place, jobs)
            _tab_music(gr, place, jobs)
            _tab_songs(gr, place, jobs)
            _tab_runs(gr, place, page)
        for name, button in buttons.items():
            button.click(
                lambda name=name: gr.Tabs(selected=name), None, tabs, show_progress="hidden", api_visibility="private"
            )
    theme = gr.themes.Base(
        primary_hue="indigo", neutral_hue="slate", font=["system-ui", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"],
        font_mono=["ui-monospace", "DejaVu Sans Mono", "monospace"], radius_size="lg",
    )  # fmt: skip
    # in the head and not as gradio's css=, which rewrites selectors and loses custom properties
    head = (
        f"<style>{(DATA / 'app.css').read_text('utf-8')}</style><script>{(DATA / 'app.js').read_text('utf-8')}</script>"
    )
    return page, {"theme": theme, "head": head}


def _tab_text(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(
        gr, "Text to video", "text", "A few words become songs and covers; the most creative of each become your video."
    ):
        topic = gr.Textbox(
            label="What is it about?", placeholder=IDEAS[0], lines=1, max_lines=3, max_length=500, autofocus=True
        )
        gr.Examples([[idea] for idea in IDEAS], inputs=[topic], label="Ideas", cache_examples=False)
        shape = _shape(gr)
        action = _action(gr, "Make the video", "text")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-text")
        with gr.Accordion("More settings", open=False):
            seconds = gr.Slider(4, 60, 10, step=1, label="Length in seconds")
            songs = gr.Slider(1, 8, 4, step=1, label="Songs to choose from")
            covers = gr.Slider(1, 8, 4, step=1, label="Covers to choose from")
            size, seed = _look(gr)
    _connect(
        gr,
        place,
        jobs,
        action,
        panel,
        forms.text_to_video,
        [topic, seconds, songs, covers, size, seed, shape],
        enter=topic,
    )


def _tab_song(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(gr, "Song to video", "song", "Your own song gets a cover and moves it."):
        song = gr.File(label="Your song", file_types=SOUNDS, elem_id="sg-file-song", height=150)
        topic = gr.Textbox(
            label="What is it about? (if you like)", placeholder="the song's name, otherwise", max_length=500
        )
        shape = _shape(gr)
        action = _action(gr, "Make the video", "song")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-song")
        with gr.Accordion("More settings", open=False):
            with gr.Row():
                cover = _file(gr, "Your own cover (if you like)", PICTURES, "own-cover")
                lyrics = _file(gr, "Lyrics with times: .lrc, .srt (if you like)", LYRICS, "lyrics-song")
            covers = gr.Slider(1, 8, 4, step=1, label="Covers to choose from")
            size, seed = _look(gr)
    _connect(
        gr, place, jobs, action, panel, forms.song_to_video, [song, topic, covers, size, seed, shape, cover, lyrics]
    )


def _tab_visuals(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(
        gr, TABS["visuals"], "visuals", "What your song sounds like becomes pictures, and the song walks through them."
    ):
        song = _file(gr, "Your song", SOUNDS, "visuals")
        topic = gr.Textbox(
            label="What is it about? (if you like)", placeholder="what is heard, otherwise", max_length=500
        )
        shape = _shape(gr)
        action = _action(gr, "Make the video", "visuals")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-visuals")
        with gr.Accordion("More settings", open=False):
            with gr.Row():
                art = _file(gr, "Your own artwork (if you like)", PICTURES, "art")
                lyrics = _file(gr, "Lyrics with times: .lrc, .srt (if you like)", LYRICS, "lyrics-visuals")
            pictures = gr.Slider(2, 12, 4, step=1, label="Pictures to walk through, at least")
            size, seed = _look(gr)
    _connect(
        gr, place, jobs, action, panel, forms.song_to_visuals, [song, topic, pictures, size, seed, shape, art, lyrics]
    )


def _tab_walk(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(gr, TABS["walk"], "walk", "Patterns that turn with every chord of your song; its lyrics choose them."):
        song = _file(gr, "Your song", SOUNDS, "walk")
        topic = gr.Textbox(label="What is it about? (if there are no lyrics)", max_length=500)
        shape = _shape(gr)
        action = _action(gr, "Make the video", "walk")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-walk")
        with gr.Accordion("More settings", open=False):
            lyrics = _file(gr, "Lyrics: .txt, or .lrc and .srt to show them", [".txt", *LYRICS], "lyrics-walk")
            size, seed = _look(gr)
    _connect(gr, place, jobs, action, panel, _walk_words, [song, topic, size, seed, shape, lyrics])


def _walk_words(
    place: forms.Place, song: Any, topic: str, size: Any, seed: float, shape: str, lyrics: Any
) -> list[list[str]]:
    return forms.song_to_walk(place, song, "" if lyrics else topic, size, seed, shape, lyrics)


def _tab_cover(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(gr, "Song to cover", "cover", "An album cover that follows what your song sounds like."):
        song = gr.File(label="Your song", file_types=SOUNDS, elem_id="sg-file-cover", height=150)
        with gr.Row():
            album = gr.Textbox(label="Album", placeholder="its title", max_length=200, min_width=200)
            artist = gr.Textbox(label="Artist", max_length=200, min_width=200)
            genres = gr.Textbox(label="Genre", placeholder="what is heard, otherwise", max_length=200, min_width=200)
        action = _action(gr, "Draw the cover", "cover")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-cover")
        with gr.Accordion("More settings", open=False):
            covers = gr.Slider(1, 8, 4, step=1, label="Covers to choose from")
            size = gr.Radio([("automatic", 0), *views.choices(forms.SIZES)], value=0, label="Cover size")
            seed = _seed(gr)
    _connect(gr, place, jobs, action, panel, forms.song_to_cover, [song, album, artist, genres, covers, size, seed])


def _tab_music(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(
        gr,
        "Picture to music",
        "music",
        "Your picture is put into words, the words into music; the picture moves to it.",
    ):
        picture = gr.File(label="Your picture", file_types=PICTURES, elem_id="sg-file-music", height=150)
        shape = _shape(gr)
        action = _action(gr, "Make the music", "music")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-music")
        with gr.Accordion("More settings", open=False):
            seconds = gr.Slider(4, 60, 10, step=1, label="Length in seconds")
            songs = gr.Slider(1, 8, 4, step=1, label="Songs to choose from")
            size, seed = _look(gr)
    _connect(gr, place, jobs, action, panel, forms.picture_to_music, [picture, seconds, songs, size, seed, shape])


def _tab_songs(gr: Any, place: forms.Place, jobs: Jobs) -> None:
    with _form(gr, "Picture to songs", "songs", "Songs whose words fit a picture, or anything you write."):
        with gr.Row():
            picture = gr.File(
                label="Your picture", file_types=PICTURES, elem_id="sg-file-songs", height=150, min_width=240
            )
            own = " (yours, instead of the page's)" if place.index else " (CSV: title, artist, lyrics)"
            table = gr.File(
                label=f"Table of lyrics{own}",
                file_types=[".csv", ".tsv"],
                elem_id="sg-file-table",
                height=150,
                min_width=240,
            )
        text = gr.Textbox(label="Or in words", placeholder="a walk in the rain", max_length=500)
        action = _action(gr, "Find songs", "songs")
        panel = gr.HTML(elem_classes="sg-panel", elem_id="sg-panel-songs")
        with gr.Accordion("More settings", open=False):
            ranks = [("best lines, song length counted", "best_lines"), ("mean line score, as published", "published")]
            ranking = gr.Radio(ranks, value="best_lines", label="How songs are ranked")
            spans = []
            for name in forms.FEATURES:
                with gr.Row():
                    spans.append(gr.Slider(0, 1, 0, step=0.05, label=f"Least {name}", min_width=200))
                    spans.append(gr.Slider(0, 1, 1, step=0.05, label=f"Most {name}", min_width=200))

    def words(at: forms.Place, shown: Any, said: str, lyrics: Any, rule: str, *values: float) -> list[list[str]]:
        return forms.picture_to_songs(at, shown, said, lyrics, rule, list(zip(values[::2], values[1::2], strict=True)))

    _connect(gr, place, jobs, action, panel, words, [picture, text, table, ranking, *spans], enter=text)


def _tab_runs(gr: Any, place: forms.Place, page: Any) -> None:
    with gr.Tab("Runs", id="runs", elem_id="sg-tab-runs") as tab:
        refresh = gr.Button("Look again", size="sm", elem_id="sg-refresh")
        shown = gr.HTML(elem_id="sg-runs")
    for event in (tab.select, refresh.click, page.load):
        event(lambda: views.gallery(place.output), None, shown, show_progress="hidden", api_visibility="private")


def _form(gr: Any, title: str, name: str, lead: str) -> Any:
    """A tab with its one sentence."""
    tab = gr.Tab(title, id=name, elem_id=f"sg-tab-{name}")
    with tab:
        gr.HTML(f'<p class="sg-lead">{lead}</p>')
    return tab


def _file(gr: Any, label: str, kinds: list[str], name: str) -> Any:
    return gr.File(label=label, file_types=kinds, elem_id=f"sg-file-{name}", height=150, min_width=240)


def _shape(gr: Any) -> Any:
    return gr.Radio([*forms.SHAPES], value="1:1", label="For", elem_classes="sg-shape")


def _look(gr: Any) -> tuple[Any, Any]:
    return gr.Radio(views.choices(forms.SIZES), value=512, label="Picture size"), _seed(gr)


def _seed(gr: Any) -> Any:
    return gr.Number(0, label="Seed: another number, another result", precision=0, minimum=0, maximum=2**31 - 1)


def _action(gr: Any, label: str, name: str) -> tuple[Any, Any, Any]:
    """The tab's button, the one that cancels, and the token of the job that the visitor watches."""
    with gr.Row(elem_classes="sg-actions"):
        go = gr.Button(label, variant="primary", size="lg", elem_id=f"sg-go-{name}")
        cancel = gr.Button("Cancel", variant="secondary", size="lg", visible=False, elem_id=f"sg-cancel-{name}")
    return go, cancel, gr.State("")


def _connect(
    gr: Any, place: forms.Place, jobs: Jobs, action: tuple[Any, Any, Any], panel: Any,
    words: Callable[..., list[list[str]]], inputs: list[Any], enter: Any = None,
) -> None:  # fmt: skip
    """Let the button start a job and the panel follow it; Enter in `enter` does the same."""
    go, cancel, token = action

    def follow(request: Any, *values: Any) -> Iterator[tuple[Any, Any, Any, str]]:
        for html, running, mine in watch(place, jobs, words, values, visitor(request)):
            yield html, gr.update(interactive=not running), gr.update(visible=running), mine

    def stop(mine: str, request: Any) -> None:
        jobs.cancel(mine, visitor(request))

    follow.__annotations__["request"] = stop.__annotations__["request"] = gr.Request  # by which gradio knows to give it
    options = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    go.click(follow, inputs, [panel, go, cancel, token], **options)
    if enter is not None:
        enter.submit(follow, inputs, [panel, go, cancel, token], **options)
    cancel.click(stop, [token], None, show_progress="hidden", api_visibility="private", concurrency_limit=None)


def visitor(request: Any) -> str:
    """Who asks: a name for the visitor's open page, made by gradio and known to that page alone."""
    return str(getattr(request, "session_hash", None) or "nobody")


def watch(
    place: forms.Place, jobs: Jobs, words: Callable[..., list[list[str]]], values: tuple[Any, ...], who: str = ""
) -> Iterator[tuple[str, bool, str]]:
    """Start a job and follow it to its end: what the panel shows, whether it goes on, and the job's token."""
    try:
        fit_uploads(place.uploads)
        job = jobs.add(lambda token: forms.with_token(words(place, *values), token), who)
    except SpectrograndError as error:
        yield views.message("That did not work.", str(error), bad=True), False, ""
        return
    before = ""
    while not job.over:
        shown = views.progress(jobs, job)
        if shown != before:
            yield shown, True, job.token
            before = shown
        time.sleep(POLL)
    yield views.ended(jobs, job), False, job.token
