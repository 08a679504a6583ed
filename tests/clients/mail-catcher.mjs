// A mail server that a test drives: it takes every mail and says it on stdout, one line of JSON each.
//
//   node mail-catcher.mjs <port, 0 for any> [--fail-first N] [--refuse] [--login user:password]
//
// The first line is {"listening":port}. A mail is {"messageId","from","to","subject","text","html","headers"}; from and to
// are those of the envelope, headers has the names in small letters and the values as they stand in the mail.
// --fail-first answers 451 to the first N mails, --refuse answers 550 to every recipient, --login asks for a name and a
// password.

import { simpleParser } from "mailparser"
import { SMTPServer } from "smtp-server"
import { parseArgs } from "node:util"

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "fail-first": { type: "string", default: "0" },
    refuse: { type: "boolean", default: false },
    login: { type: "string" },
  },
})

const say = line => process.stdout.write(JSON.stringify(line) + "\n")
const answer = (responseCode, text) => Object.assign(new Error(text), { responseCode })

let failing = Number(args["fail-first"])

async function take(stream, session, done) {
  const mail = await simpleParser(stream)
  if (failing-- > 0) return done(answer(451, "not now"))
  say({
    messageId: mail.messageId,
    from: session.envelope.mailFrom.address,
    to: session.envelope.rcptTo.map(({ address }) => address),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()])),
  })
  done()
}

const server = new SMTPServer({
  disabledCommands: args.login ? ["STARTTLS"] : ["STARTTLS", "AUTH"],
  authOptional: !args.login,
  allowInsecureAuth: true,
  disableReverseLookup: true,
  onAuth({ username, password }, session, done) {
    if (`${username}:${password}` === args.login) done(null, { user: username })
    else done(answer(535, "wrong name or password"))
  },
  onRcptTo: (address, session, done) => (args.refuse ? done(answer(550, "nobody of that name")) : done()),
  onData: (stream, session, done) => take(stream, session, done).catch(done),
})
// A client that goes away in the middle is part of some tests.
server.on("error", error => console.error(error.message))
server.listen(Number(positionals[0] ?? 0), "127.0.0.1", () => say({ listening: server.server.address().port }))
