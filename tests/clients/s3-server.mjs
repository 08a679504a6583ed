// A store that speaks S3, for tests: @20minutes/s3rver, with its objects in a directory, so that it can be killed and
// started again on them.
//
//   node s3-server.mjs <port, 0 for any> <directory>
//
// The first line is {"listening":port}. There is one bucket, "sheaf"; who asks is S3RVER with the secret S3RVER, and a
// signature that does not fit is refused. s3rver knows no AbortMultipartUpload; that is answered here.

import S3rver from "@20minutes/s3rver"
import { rm } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"

const [port, directory] = process.argv.slice(2)
const store = new S3rver({
  directory,
  silent: true,
  vhostBuckets: false,
  allowMismatchedSignatures: false,
  configureBuckets: [{ name: "sheaf" }],
})
await store.configureBuckets()
const answer = store.callback()

async function abort(upload, response) {
  await rm(join(directory, "sheaf", "._S3rver_uploads", upload), { recursive: true, force: true })
  response.writeHead(204).end()
}

const server = createServer((request, response) => {
  const upload = new URL(request.url, "http://store").searchParams.get("uploadId")
  if (request.method === "DELETE" && /^[0-9a-f]+$/.test(upload ?? "")) abort(upload, response)
  else answer(request, response)
})
server.listen(Number(port), "127.0.0.1", () => process.stdout.write(JSON.stringify({ listening: server.address().port }) + "\n"))
