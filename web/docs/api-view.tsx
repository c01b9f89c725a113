/** The OpenAPI and the AsyncAPI document of this node. */
import { type AsyncApi, type OpenApi, type Schema } from '../model/docs/api.js';
import { type Call, type Frame, callsOf, framesOf } from '../model/docs/api.js';
import { SchemaView } from './schema-view.js';
import { Words } from './words.js';

type Schemas = Readonly<Record<string, Schema>>;

export function RestView({ document }: { document: OpenApi }) {
  const groups = [...callsOf(document)];
  const { schemas } = document.components;
  return (
    <article class="api">
      <h1>REST calls</h1>
      <p>
        {groups.reduce((sum, [, calls]) => sum + calls.length, 0)} calls of this node. The document
        is <a href="../../openapi.json">openapi.json</a>.
      </p>
      {groups.map(([tag, calls]) => (
        <section key={tag}>
          <h2 id={`tag-${tag}`}>{tag}</h2>
          {calls.map((call) => (
            <CallView key={call.id} call={call} schemas={schemas} />
          ))}
        </section>
      ))}
    </article>
  );
}

function CallView({ call, schemas }: { call: Call; schemas: Schemas }) {
  return (
    <details id={call.id}>
      <summary>
        <code class="method">{call.method}</code> <code>{call.path}</code>
        <span class="soft">
          <Words text={call.summary} />
          {call.isPublic ? ' (without signing in)' : ''}
        </span>
      </summary>
      {call.parameters.length === 0 ? null : (
        <>
          <h3>Parameters</h3>
          <dl>
            {call.parameters.map(({ name, in: where, required, description }) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>{' '}
                  <span class="soft">
                    {where}
                    {required === true ? ', required' : ''}
                  </span>
                </dt>
                <dd>
                  <Words text={description ?? ''} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {call.body === null ? null : (
        <>
          <h3>Body</h3>
          <SchemaView schema={call.body.schema ?? {}} schemas={schemas} />
          <Example value={call.body.example} />
        </>
      )}
      <h3>Answers</h3>
      <dl>
        {call.answers.map(({ status, description, content }) => (
          <div key={status}>
            <dt>
              <code>{status}</code>
            </dt>
            <dd>
              <Words text={description} />
              {content === null ? null : (
                <>
                  <SchemaView schema={content.schema ?? {}} schemas={schemas} />
                  <Example value={content.example} />
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function FramesView({ document }: { document: AsyncApi }) {
  const { client, server } = framesOf(document);
  const { schemas } = document.components;
  const list = (frames: Frame[]) =>
    frames.map((frame) => (
      <details key={frame.id} id={frame.id}>
        <summary>
          <code>{frame.name}</code>{' '}
          <span class="soft">
            <Words text={frame.summary} />
          </span>
        </summary>
        <SchemaView schema={frame.payload} schemas={schemas} />
        {frame.answers.length === 0 ? null : <p>Answered by: {frame.answers.join(', ')}.</p>}
        <Example value={frame.example} />
      </details>
    ));
  return (
    <article class="api">
      <h1>Frames</h1>
      <p>
        Over the WebSocket at <code>/v1/ws</code>. The document is{' '}
        <a href="../../asyncapi.json">asyncapi.json</a>.
      </p>
      <h2 id="from-the-client">From the client</h2>
      {list(client)}
      <h2 id="from-the-server">From the server</h2>
      {list(server)}
    </article>
  );
}

function Example({ value }: { value: unknown }) {
  if (value === undefined) return null;
  return (
    <div class="wide" tabIndex={0} role="group" aria-label="example">
      <pre>
        <code>{JSON.stringify(value, null, 2)}</code>
      </pre>
    </div>
  );
}
