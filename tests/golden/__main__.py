from tests.golden import FOLDER, SCENES, written

for scene in SCENES:
    path = FOLDER / f"{scene}.txt"
    text = written(scene)
    changed = not path.exists() or path.read_text(encoding="utf-8") != text
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {'changed' if changed else 'as before'}")
