// What a link in a letter opens. The token stands behind the # of the address; it is taken out of the address bar and the
// history at once, and sent in the bodies of requests. Text is put on the page as text, never as markup.
"use strict";

const api = "/api/v1";
const page = document.getElementById("page");

function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
}

function show(title, ...children) {
    document.title = `${title} · Sheaf`;
    page.replaceChildren(element("h1", {}, title), ...children);
}

function say(title, text) {
    show(title, element("p", {}, text));
}

/** What went wrong, in the words of the problem document. */
class Problem extends Error {
    constructor(status, body) {
        const fields = (body?.errors ?? []).map((field) => `${field.pointer.slice(1).replaceAll("_", " ")} ${field.detail}`);
        super(fields.length > 0 ? fields.join(" · ") : (body?.detail ?? `The server answered ${status}.`));
        this.code = body?.code;
    }
}

async function call(method, path, body, token) {
    const headers = { accept: "application/json" };
    if (body) headers["content-type"] = "application/json";
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(api + path, { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" });
    const text = await answer.text();
    let said = null;
    try {
        said = text ? JSON.parse(text) : null;
    } catch {
        // A proxy's page; the status has to do.
    }
    if (!answer.ok) throw new Problem(answer.status, said);
    return said;
}

function field(label, properties) {
    const input = element("input", { required: true, ...properties });
    return { input, row: element("label", {}, label, input) };
}

/** A form: its fields, and what its buttons do. The first button is what Enter presses. */
function form(rows, buttons) {
    const made = element("form");
    const pressed = buttons.map(([label, act], i) =>
        element("button", i === 0 ? { type: "submit" } : { type: "button", className: "plain" }, label));
    const run = async (act) => {
        made.querySelector(".trouble")?.remove();
        pressed.forEach((button) => { button.disabled = true; });
        try {
            await act();
        } catch (error) {
            const text = error instanceof Problem ? error.message : "The server cannot be reached. Try again.";
            made.prepend(element("p", { className: "trouble", role: "alert" }, text));
        } finally {
            pressed.forEach((button) => { button.disabled = false; });
        }
    };
    made.addEventListener("submit", (event) => {
        event.preventDefault();
        run(buttons[0][1]);
    });
    pressed.slice(1).forEach((button, i) => button.addEventListener("click", () => run(buttons[i + 1][1])));
    made.append(...rows, ...pressed);
    return made;
}

function verify(token) {
    const act = async () => {
        const proven = await call("POST", "/auth/email/verify/", { token });
        say("Thank you", `${proven.email} is confirmed as your address.`);
    };
    show("Is this your e-mail address?", element("p", {}, "Confirm that you have got the letter."), form([], [["Confirm the address", act]]));
}

function reset(token) {
    const password = field("New password", { type: "password", autocomplete: "new-password", minLength: 8 });
    const act = async () => {
        await call("POST", "/auth/password/reset/", { token, password: password.input.value });
        say("Your password is set", "Every login of your account was ended. Sign in with the new password.");
    };
    show("Set a new password", form([password.row], [["Set the password", act]]));
}

/** Signs in, with a code where the account wants one. */
async function signIn(email, password, go) {
    const got = await call("POST", "/auth/login/", { email, password });
    if (!got.mfa_required) return go(got);
    const code = field("Code of your authenticator app, or a recovery code", { autocomplete: "one-time-code" });
    const act = async () => go(await call("POST", "/auth/mfa/verify/", { mfa_token: got.mfa_token, code: code.input.value }));
    show("One more step", form([code.row], [["Go on", act]]));
}

/** This page keeps no login. */
async function forget(login) {
    if (login?.refresh_token) await call("POST", "/auth/logout/", { refresh_token: login.refresh_token });
}

async function invitation(token) {
    const got = await call("GET", `/invitations/${encodeURIComponent(token)}/`);
    const welcome = () => say(`Welcome to ${got.workspace}`, "You are a member now. Sign in to begin.");
    const join = async (login) => {
        try {
            await call("POST", "/invitations/accept/", { token }, login.access_token);
        } finally {
            await forget(login);
        }
        welcome();
    };
    const email = field("E-mail", { type: "email", autocomplete: "username", value: got.email ?? "" });
    const password = field("Password", { type: "password", autocomplete: "current-password" });
    const name = field("Your name, for a new account", { autocomplete: "name", required: false });
    const enter = () => signIn(email.input.value, password.input.value, join);
    const make = async () => {
        const account = { display_name: name.input.value, password: password.input.value };
        // The letter proves its address; with a link the account is made first.
        if (got.email) {
            const joined = await call("POST", "/invitations/accept/", { token, ...account });
            await forget(joined.login);
            return welcome();
        }
        const login = await call("POST", "/auth/register/", { email: email.input.value, ...account });
        if (login.access_token) return join(login);
        say("Confirm your address first", "A letter is on its way. Open this invitation again afterwards.");
    };
    const decline = async () => {
        await call("POST", "/invitations/decline/", { token });
        say("Declined", "The invitation is not good any more.");
    };
    const buttons = [["Sign in and join", enter], ["Make an account and join", make]];
    if (got.email) buttons.push(["Decline", decline]);
    const said = [element("p", {}, `${got.inviter ?? "Somebody"} invites you to ${got.workspace}, as ${got.role}.`)];
    if (got.message) said.push(element("p", {}, got.message));
    show(`Join ${got.workspace}`, ...said, form([email.row, password.row, name.row], buttons));
}

/** One page for each word that a link may have. */
const pages = { verify, reset, invitation };

async function start() {
    const [word, token] = location.hash.slice(1).split("=", 2);
    history.replaceState(null, "", location.pathname);
    if (!Object.hasOwn(pages, word) || !token) {
        return say("Nothing to open", "This page opens links from letters. Open the link again, as a whole.");
    }
    try {
        await pages[word](token);
    } catch (error) {
        say("This does not work", error instanceof Problem ? error.message : "The server cannot be reached. Try again.");
    }
}

start();
