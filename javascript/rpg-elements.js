// Elements of the page. All texts in a plan are untrusted: textContent and value only, never markup.

/** Icons as strokes in a square of 16. */
const rpgIcons = {
    select: "M3.5 2l3.6 11 1.9-4.6 4.5-1.9z",
    box: "M2.5 4.5v-2h2M7 2.5h2M11.5 2.5h2v2M13.5 7v2M13.5 11.5v2h-2M9 13.5H7M4.5 13.5h-2v-2M2.5 9V7",
    brush: "M13.5 2.5C10 3.8 7.3 6.6 6.3 8.7l1.7 1.6c2.2-1 4.6-4 5.5-7.8zM5.5 9.7c-1.7 0-2.2 1.1-2.3 2.2-.1.8-.6 1.2-1.5 1.4 1.9.8 5.4.5 5.4-2",
    rubber: "M5.5 13.5h8M2.7 9.3l6.2-6.2 4 4-6.3 6.3H5.5z M6 6l4 4",
    undo: "M6 3.5L3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
    redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
    wide: "M1.5 8h13M4.5 5l-3 3 3 3M11.5 5l3 3-3 3",
    page: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
    lock: "M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
    unlock: "M3.5 7.5h9v6h-9zM5.5 7.5V4.5a2.5 2.5 0 0 1 4.9-.7",
    show: "M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
    hide: "M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8zM3 13.5l10-11",
    remove: "M4 4l8 8M12 4l-8 8",
    columns: "M2.5 3h11v10h-11zM8 3v10",
    rows: "M2.5 3h11v10h-11zM2.5 8h11",
    join: "M1.5 8h4.7M4 5.5L6.5 8 4 10.5M14.5 8H9.8M12 5.5L9.5 8l2.5 2.5",
    copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
    fill: "M2.5 2.5h11v11h-11zM5 5h6v6H5zM5 8h6M8 5v6",
    invert: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
    clear: "M2.5 2.5h11v11h-11zM5.5 5.5l5 5M10.5 5.5l-5 5",
};

const rpgSaid = ["textContent", "title", "ariaLabel", "placeholder"];

/** An element; what it says is given in English and shown in the user's language. */
function rpgElement(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    for (const name of rpgSaid) if (properties[name]) element[name] = rpgWords(properties[name]);
    element.append(...children);
    return element;
}

function rpgButton(text, title, onClick) {
    const button = rpgElement("button", {type: "button", className: "rpg-button", textContent: text, title, ariaLabel: title});
    button.addEventListener("click", onClick);
    return button;
}

function rpgSvg(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

function rpgIcon(name) {
    const svg = rpgSvg("svg", {viewBox: "0 0 16 16", "aria-hidden": "true"});
    svg.append(rpgSvg("path", {d: rpgIcons[name]}));
    return svg;
}

function rpgIconButton(icon, title, onClick) {
    const button = rpgButton("", title, onClick);
    button.classList.add("rpg-icon");
    button.append(rpgIcon(icon));
    return button;
}

/** A button that is pressed or not; it shows `icons` [released, pressed], with `titles` alike. */
function rpgSetPressed(button, pressed, icons, titles) {
    if (button.ariaPressed === String(pressed)) return;
    button.ariaPressed = String(pressed);
    if (icons) button.firstChild.firstChild.setAttribute("d", rpgIcons[icons[Number(pressed)]]);
    if (titles) button.title = button.ariaLabel = rpgWords(titles[Number(pressed)]);
}

function rpgInput(className, label, onEdit) {
    const input = rpgElement("input", {type: "text", className, ariaLabel: label, title: label, spellcheck: false});
    input.addEventListener("input", () => onEdit(input.value));
    return input;
}

function rpgSlider(label, [min, max, step], onEdit) {
    const slider = rpgElement("input", {type: "range", min, max, step, className: "rpg-slider", ariaLabel: label, title: label});
    slider.addEventListener("input", () => onEdit(Number(slider.value)));
    return slider;
}

/** A textarea as high as its text: style.css sizes it by the copy in data-rpg-text. */
function rpgTextarea(className, label, onEdit) {
    const area = rpgElement("textarea", {rows: 1, ariaLabel: label, title: label});
    area.addEventListener("input", () => {
        rpgGrowing(area).dataset.rpgText = area.value;
        onEdit(area.value);
    });
    // Built as the host builds its own prompts: its Ctrl+Up and Ctrl+Down weigh words here, and extensions complete tags.
    rpgElement("div", {className: `${className} rpg-grow prompt`}, rpgElement("label", {}, area));
    return area;
}

/** What stands in the page for a textarea. */
function rpgGrowing(area) {
    return area.closest(".rpg-grow");
}

/** Touches a field only when it says something else, so that the caret stays where the user is typing. */
function rpgSetText(field, value) {
    const text = String(value ?? "");
    if (field.value !== text) field.value = text;
    if (field.tagName === "TEXTAREA") rpgGrowing(field).dataset.rpgText = text;
}

/** Neighbouring numbers get hues far apart (the golden angle). */
function rpgHue(index) {
    return `${Math.round(210 + index * 137.5) % 360}`;
}

/** As many elements in `parent` as there are things to show. */
function rpgResize(parent, items, count, build, elementOf = (item) => item) {
    while (items.length > count) elementOf(items.pop()).remove();
    while (items.length < count) {
        items.push(build(items.length));
        parent.append(elementOf(items[items.length - 1]));
    }
}
