// The editor by keyboard: the same operations as with the pointer.

const rpgArrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
/** How far an arrow key moves, in fractions of the picture; with Shift ten times. */
const rpgNudge = 0.01;

class RpgKeys {
    constructor(editor, root) {
        this.editor = editor;
        root.addEventListener("pointerdown", () => root.classList.remove("rpg-keyboard"), {capture: true});
        root.addEventListener("keydown", (event) => {
            root.classList.add("rpg-keyboard"); // style.css then shows what has the focus
            if (this.anywhere(event) || this.onCanvas(event)) {
                event.preventDefault();
                event.stopPropagation();
            }
        });
    }

    /** @returns whether the key was one of ours */
    anywhere(event) {
        const {editor} = this;
        const command = event.ctrlKey || event.metaKey;
        const key = event.key.toLowerCase();
        if (key === "enter" && command) editor.flush(); // the host's shortcut for Generate
        if (key === "escape") return this.escape(event.target);
        if (!command || event.altKey) return false;
        if (key === "z" && !event.shiftKey) return this.act((model) => model.undo());
        if (key === "y" || key === "z") return this.act((model) => model.redo());
        return false;
    }

    onCanvas(event) {
        const {editor} = this;
        const {target, key} = event;
        if (!target.closest(".rpg-canvas") || target.closest(".rpg-tools")) return false;
        if (target.dataset.rpgBorder !== undefined) return this.border(Number(target.dataset.rpgBorder), event);
        const {selected} = editor.model;
        if (selected < 0) return false;
        if (key === "Delete" || key === "Backspace") return this.remove(selected);
        if (event.ctrlKey || event.metaKey || event.altKey) return false;
        if (key === "Enter" || key === "F2") {
            editor.view.table.focusPrompt(selected);
            return true;
        }
        // What is typed goes into the prompt: the key that moved the focus writes there, so it is not ours.
        if (key.length === 1 && key !== " ") editor.view.table.focusPrompt(selected);
        return false;
    }

    act(change) {
        this.editor.act(change);
        return true;
    }

    remove(index) {
        if (this.editor.model.regions.length > 1) this.editor.act((model) => model.deleteRegion(index), "canvas");
        return true;
    }

    border(index, {key, shiftKey}) {
        const {editor} = this;
        const border = rpgBorders(editor.model.rows)[index];
        const step = rpgArrows[key]?.[border.axis === "x" ? 0 : 1];
        if (!step) return false;
        if (border.cells.some((cell) => editor.model.isLocked(editor.model.regionOfCell(cell)))) return true;
        const at = border.at + step * rpgNudge * (shiftKey ? 10 : 1);
        editor.edit((model) => model.moveBorder(border, at, false, `border ${index}`));
        editor.view.renderFields();
        return true;
    }

    /** One step out: the gesture, the selection, the full page. */
    escape(target) {
        const {editor} = this;
        if (editor.pointer.cancel()) return true;
        if (target.closest(".rpg-canvas") && editor.model.selected >= 0) {
            editor.select(-1);
            editor.view.canvas.element.focus({preventScroll: true});
            return true;
        }
        if (editor.size !== "page") return false;
        editor.setSize("page");
        return true;
    }
}
