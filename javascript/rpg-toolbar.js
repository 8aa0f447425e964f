// The buttons above the picture, and the line below it that belongs to the selected region.

class RpgToolbar {
    constructor(editor) {
        this.editor = editor;
        this.build();
    }

    build() {
        const {editor} = this;
        this.undoButton = rpgIconButton("undo", "Undo (Ctrl+Z)", () => editor.act((model) => model.undo()));
        this.redoButton = rpgIconButton("redo", "Redo (Ctrl+Shift+Z)", () => editor.act((model) => model.redo()));
        this.backdrop = rpgElement("select", {className: "rpg-select", ariaLabel: "Picture behind the regions", title: "Picture behind the regions"});
        this.backdrop.append(
            ...editor.backdrops.map(([value, textContent]) => rpgElement("option", {value, textContent})),
        );
        this.backdrop.addEventListener("change", () => editor.followPage());
        this.strength = rpgSlider("How strong the picture behind the regions is", [0, 1, 0.05], () => editor.followPage());
        this.strength.value = 0.6;
        this.sizeButtons = {
            wide: rpgIconButton("wide", "As wide as the panel", () => editor.setSize("wide")),
            page: rpgIconButton("page", "Full page", () => editor.setSize("page")),
        };
        const group = (...buttons) => rpgElement("div", {className: "rpg-group"}, ...buttons);
        this.element = rpgElement("div", {className: "rpg-tools-bar", role: "toolbar", ariaLabel: "Picture"});
        this.element.append(
            group(this.undoButton, this.redoButton),
            rpgElement("div", {className: "rpg-group rpg-behind"}, this.backdrop, this.strength),
            group(...Object.values(this.sizeButtons)),
        );
        this.number = rpgElement("b", {className: "rpg-mark"});
        this.name = rpgInput("rpg-name", "Name of the region in this editor", (name) =>
            editor.edit((model) => model.mark(model.selected, {name})),
        );
        this.name.placeholder = "Name";
        this.hint = rpgElement("span", {className: "rpg-hint"});
        this.region = rpgElement("div", {className: "rpg-group"}, this.number, this.name);
        this.strip = rpgElement("div", {className: "rpg-strip"}, this.region, this.hint);
    }

    draw(place) {
        const {model, size} = this.editor;
        this.undoButton.disabled = !model.past.length;
        this.redoButton.disabled = !model.future.length;
        this.strength.hidden = !this.backdrop.value;
        for (const [name, button] of Object.entries(this.sizeButtons)) rpgSetPressed(button, size === name);
        this.region.hidden = model.selected < 0;
        this.number.textContent = String(model.selected + 1);
        this.number.style.setProperty("--rpg-hue", rpgHue(model.selected));
        rpgSetText(this.name, model.nameOf(model.selected));
        this.hint.textContent = rpgHint(place, model.isLocked(model.selected));
    }
}

function rpgHint(place, locked) {
    if (locked) return "Locked: its place does not change.";
    if (place?.kind === "cell") return "Drag its borders; Shift snaps to quarters, thirds and halves.";
    return "Drag the borders between the regions, or click a region.";
}
