import { render } from 'preact';
import '../tokens.css';

render(<h1>Wardroom · console</h1>, document.getElementById('page')!);
