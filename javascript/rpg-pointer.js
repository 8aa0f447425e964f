// Gestures on the picture with mouse, pen and touch. A gesture is {move, end, holds}: `holds` keeps touch from scrolling the page.

/** How near, in pixels of the screen, a pointer has to come to a border. */
const rpgReach = {mouse: 6, pen: 8, touch: 16};
/** Pixels that a pointer may tremble without dragging. */
const rpgTremble = 3;

class RpgPointer {
    constructor(editor, canvas) {
        this.editor = editor;
        this.canvas = canvas;
        this.gesture = null;
        const {element} = canvas;
        element.addEventListener("pointerdown", (event) => this.down(event));
        element.addEventListener("pointermove", (event) => this.move(event));
        element.addEventListener("pointerup", (event) => this.up(event));
        element.addEventListener("pointercancel", (event) => event.pointerId === this.id && this.cancel());
        element.addEventListener("dblclick", (event) => this.isTool(event) || editor.view.table.focusPrompt(editor.model.selected));
        // Says before the browser starts to scroll that this touch is ours.
        element.addEventListener("touchstart", (event) => this.gesture?.holds && event.preventDefault(), {passive: false});
    }

    isTool({target}) {
        return target.closest(".rpg-tools") !== null;
    }

    /** The pointer in fractions of the picture, and its reach along both sides. */
    point({clientX, clientY, pointerType}) {
        const {left, top, width, height} = this.canvas.element.getBoundingClientRect();
        const reach = rpgReach[pointerType] ?? rpgReach.mouse;
        const inner = {x: this.canvas.element.clientLeft, y: this.canvas.element.clientTop};
        const [wide, high] = [width - 2 * inner.x, height - 2 * inner.y];
        return {x: (clientX - left - inner.x) / wide, y: (clientY - top - inner.y) / high, reachX: reach / wide, reachY: reach / high};
    }

    down(event) {
        if (event.button !== 0 || this.gesture || this.isTool(event)) return;
        event.preventDefault(); // the focus is set here, and no text is selected
        const point = this.point(event);
        this.gesture = this.choose(point, event);
        if (!this.gesture) return;
        this.id = event.pointerId;
        this.start = {x: event.clientX, y: event.clientY};
        this.moved = false;
        this.editor.model.endRun();
        if (this.gesture.holds) this.canvas.element.setPointerCapture(event.pointerId);
    }

    move(event) {
        const point = this.point(event);
        if (!this.gesture) return this.hover(point, event);
        if (event.pointerId !== this.id) return;
        const far = Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) >= rpgTremble;
        this.moved ||= far;
        if (this.moved) this.gesture.move?.(point, event);
    }

    up(event) {
        if (event.pointerId !== this.id || !this.gesture) return;
        const {gesture} = this;
        this.gesture = null;
        this.canvas.element.classList.remove("rpg-dragging");
        gesture.end?.(this.moved);
        this.editor.flush();
    }

    /** Escape, or the browser took the touch for itself: as if nothing had been dragged. */
    cancel() {
        if (!this.gesture) return false;
        if (this.moved && this.gesture.move) this.editor.model.cancel();
        this.gesture = null;
        this.canvas.element.classList.remove("rpg-dragging");
        this.editor.view.render();
        return true;
    }

    /** The regions below a point, the topmost first; locked and hidden ones let it through. */
    hits(point) {
        const {model} = this.editor;
        const inside = model.places.map(({box}, index) => (box && rpgInside(box, point) ? index : -1));
        return inside.filter((index) => index >= 0 && !model.isLocked(index) && !model.isHidden(index)).reverse();
    }

    /** The border within reach, or -1. One that touches a locked cell stays. */
    borderAt(point) {
        const {model} = this.editor;
        if (!model.rows) return -1;
        return rpgBorders(model.rows).findIndex(({axis, at, from, to, cells}) => {
            const [along, across, reach] = axis === "x" ? [point.x, point.y, point.reachX] : [point.y, point.x, point.reachY];
            const near = Math.abs(along - at) <= reach && across >= from && across <= to;
            return near && !cells.some((cell) => model.isLocked(model.regionOfCell(cell)));
        });
    }

    choose(point, event) {
        const {editor} = this;
        const [top] = this.hits(point);
        const border = top === undefined || editor.model.places[top].kind === "cell" ? this.borderAt(point) : -1;
        if (border >= 0) return this.dragBorder(border);
        return this.tap(top ?? -1);
    }

    tap(index) {
        return {
            holds: false,
            end: (moved) => {
                if (moved) return;
                this.editor.select(index);
                if (index >= 0) this.canvas.focusRegion(index);
                else this.canvas.element.focus({preventScroll: true});
            },
        };
    }

    dragBorder(index) {
        const {editor, canvas} = this;
        const border = rpgBorders(editor.model.rows)[index];
        canvas.focusBorder(index);
        canvas.element.classList.add("rpg-dragging");
        const from = editor.model.draft;
        return {
            holds: true,
            move: (point, {shiftKey}) =>
                editor.preview((model) => {
                    model.step("border");
                    model.draft = from;
                    model.moveBorder(border, border.axis === "x" ? point.x : point.y, shiftKey, "border");
                }),
        };
    }

    /** Show what a press would take hold of. */
    hover(point, {pointerType, target}) {
        if (pointerType === "touch") return;
        const [top] = this.hits(point);
        const border = top === undefined || this.editor.model.places[top].kind === "cell" ? this.borderAt(point) : -1;
        const axis = rpgBorders(this.editor.model.rows ?? [])[border]?.axis;
        this.canvas.element.style.cursor = {x: "col-resize", y: "row-resize"}[axis] ?? "";
        this.canvas.borders.forEach((element, index) => element.classList.toggle("rpg-hover", index === border));
        this.canvas.pieces.forEach((element, index) => element.classList.toggle("rpg-hover", border < 0 && index === top));
    }
}
