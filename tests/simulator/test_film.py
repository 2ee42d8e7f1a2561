"""The MP4 itself: exactly what was asked for, playable everywhere, the same for the same request."""

import io

import av
import numpy as np
import pytest


def _opened(film):
    return av.open(io.BytesIO(film.data))


def test_size_duration_and_rate_are_exact(api, small):
    film = api.film(**small)
    with _opened(film) as container:
        video = container.streams.video[0]
        assert (video.codec.name, video.format.name) == ("h264", "yuv420p")
        assert (video.width, video.height, video.average_rate, video.frames) == (480, 480, 24, 24)
        assert video.duration * video.time_base == 1
        assert not container.streams.audio  # this model makes no sound
    assert film.data.index(b"moov") < film.data.index(b"mdat")
    assert (film.truth["width"], film.truth["height"], film.truth["fps"], film.truth["frames"]) == (480, 480, 24, 24)


def test_sound_when_the_model_has_it_and_nobody_declines(api):
    request = {"model": "alibaba/wan-2.7", "prompt": "waves", "duration": 2, "size": "720x720"}
    with _opened(api.film(**request)) as container:
        audio = container.streams.audio[0]
        assert audio.codec.name == "aac"
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio)])
        assert 2.0 <= len(samples) / audio.rate < 2.1
        assert 0.002 < np.abs(samples).max() < 0.2  # to be heard, not to startle
        assert float(audio.duration * audio.time_base) == pytest.approx(2, abs=0.05)
    with _opened(api.film(**request, generate_audio=False)) as container:
        assert not container.streams.audio
        assert container.streams.video[0].frames == 48


def test_the_same_request_is_the_same_film_and_another_seed_another(api, image):
    request = {"model": "bytedance/seedance-2.0-fast", "prompt": "a street at night", "duration": 4, "size": "480x480"}
    request |= {"input_references": [image(None)], "generate_audio": False}
    one, again, other = (api.film(**request, seed=seed) for seed in (7, 7, 8))
    assert one.data == again.data
    assert one.told["id"] != again.told["id"]
    assert one.data != other.data
    assert one.truth["references"] != other.truth["references"]
    assert (one.truth["seed"], other.truth["seed"]) == (7, 8)


def test_without_a_seed_the_prompt_decides(api, small):
    one, other = (api.film(**small | {"prompt": prompt}) for prompt in ("a beach", "a beach house"))
    assert one.data == api.film(**small | {"prompt": "a beach"}, session_id="s", user="u").data
    assert one.data != other.data


def test_prompts_make_scenes(api, small):
    def mean(prompt):
        return api.film(**small | {"prompt": prompt}).frames()[12].mean(axis=(0, 1))

    night, beach, forest = mean("a wet city street at night"), mean("a sunny beach"), mean("a forest by day")
    assert night.max() < 70 < beach.min()
    assert beach[2] > beach[0]  # much sky
    assert forest[1] > forest[0]
    assert forest[1] > forest[2]


def test_something_moves_in_every_frame(api, small, image):
    frames = api.film(**small, input_references=[image(None)]).frames().astype(np.int16)
    assert (np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) > 0.3).all()


def test_every_frame_says_simulated(api, small, image):
    plain = api.film(**small, input_references=[image()]).frames()
    corner = plain[:, 8:40, 8:110].mean(axis=3)
    # Light letters on a darker plate, in the same place throughout.
    assert (corner.max(axis=(1, 2)) > 190).all()
    letters = corner[0] > 190
    assert 40 < letters.sum() < 1000
    assert ((corner > 150) & letters).sum(axis=(1, 2)).min() > 0.8 * letters.sum()


def test_first_and_last_frames_stand_at_the_ends(api, image):
    red, blue = image((220, 30, 30)), image((30, 30, 220))
    film = api.film(
        model="bytedance/seedance-2.0-fast",
        prompt="a forest",
        duration=4,
        size="480x480",
        frame_images=[red | {"frame_type": "first_frame"}, blue | {"frame_type": "last_frame"}],
        input_references=[image(None)],
    )
    frames = film.frames()[:, :400:4, ::4].astype(np.int16)
    assert np.abs(frames[0].mean(axis=(0, 1)) - (220, 30, 30)).max() < 8
    assert np.abs(frames[-1].mean(axis=(0, 1)) - (30, 30, 220)).max() < 8
    assert frames[48].mean(axis=(0, 1))[1] > frames[48].mean(axis=(0, 1))[2]  # the forest in between
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 25  # they fade, they do not cut
    assert film.truth["references"][0]["visible"] == [False] * 96  # frames win over references
