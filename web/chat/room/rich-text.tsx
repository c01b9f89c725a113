/** A message as nodes. All of it is text, and no HTML in it is ever read. */
import { Component } from 'preact';
import { type Block, type Inline, readMarkdown } from '../../model/chat/room/markdown.js';

interface Props {
  text: string;
  /** Names that are mentions, one a line. */
  names: string;
}

export class RichText extends Component<Props> {
  // Reading the same text again would be the dearest part of drawing a long room.
  override shouldComponentUpdate({ text, names }: Props): boolean {
    return text !== this.props.text || names !== this.props.names;
  }

  override render({ text, names }: Props) {
    const known = names === '' ? [] : names.split('\n');
    return (
      <div class="text" dir="auto">
        {readMarkdown(text, known).map((block, i) => (
          <BlockView key={i} block={block} />
        ))}
      </div>
    );
  }
}

function BlockView({ block }: { block: Block }) {
  if (block.kind === 'code')
    return (
      <pre dir="ltr">
        <code>{block.text}</code>
      </pre>
    );
  const Tag = block.kind === 'quote' ? 'blockquote' : 'p';
  return (
    <Tag>
      {block.lines.map((line, at) => [
        at === 0 ? null : <br key={`br${at}`} />,
        ...line.map((part, j) => <Part key={`${at}.${j}`} part={part} />),
      ])}
    </Tag>
  );
}

function Part({ part }: { part: Inline }) {
  switch (part.kind) {
    case 'text':
      return <>{part.text}</>;
    case 'code':
      return <code dir="ltr">{part.text}</code>;
    case 'mention':
      return <span class="mentioned">{part.text}</span>;
    case 'link':
      return (
        <a href={part.href} target="_blank" rel="noopener noreferrer nofollow" tabIndex={-1}>
          {part.text}
        </a>
      );
    case 'bold':
    case 'italic': {
      const Tag = part.kind === 'bold' ? 'strong' : 'em';
      return (
        <Tag>
          {part.parts.map((each, i) => (
            <Part key={i} part={each} />
          ))}
        </Tag>
      );
    }
  }
}
