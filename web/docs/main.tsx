import { render } from 'preact';
import '../tokens.css';

render(<h1>Wardroom · docs</h1>, document.getElementById('page')!);
